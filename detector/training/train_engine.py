"""One stage of a run: ultralytics' trainer with our data, loss, schedule, scores and state file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from ultralytics.data.build import InfiniteDataLoader, seed_worker
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils import LOGGER, colorstr
from ultralytics.utils.torch_utils import ModelEMA, unwrap_model

from detector.errors import DatasetError
from detector.training.partial_data import PartialDataset, RepeatSampler, picture_repeats
from detector.training.partial_loss import EvidenceTable, partial_criterion
from detector.training.partial_samples import draw_samples
from detector.training.partial_score import LabelScore, label_scores, look_at_files, val_pictures
from detector.training.recipe import Recipe
from detector.training.train_model import copy_backbone, read_checkpoint, start_from_state
from detector.training.train_state import TrainState, load_state, save_state


class StageTrainer(DetectionTrainer):  # type: ignore[misc]  # ultralytics is untyped
    """Trains from the state file's epoch to the end of the stage that epoch belongs to."""

    model: Any
    ema: Any
    optimizer: Any

    def __init__(self, recipe: Recipe, overrides: dict[str, Any], state_path: Path) -> None:
        self.recipe = recipe
        self.state_path = state_path
        self.scores: dict[str, LabelScore] = {}
        super().__init__(overrides=overrides)
        if recipe.threads:  # only now: on a CPU the parent's select_device sets torch to all cores but one, at most 8
            torch.set_num_threads(recipe.threads)
        self.args.workers = recipe.workers  # the parent forces 0 on a CPU
        self.table = EvidenceTable(list(self.data["names"].values()), self.data["evidence"], self.data["exclusive"])

    def check_resume(self, overrides: dict[str, Any]) -> None:
        """Our own state file decides; `resume` keeps the parent from deleting results.csv."""
        self.resume = self.state_path.exists()
        self.args.resume = self.resume

    def setup_model(self) -> None:
        """Build the network for our labels and fill it from the recipe's start."""
        if not isinstance(self.model, torch.nn.Module):
            if str(self.model).endswith(".pt"):
                read_checkpoint(self.model)  # refuses with an error of ours before the parent opens it
            else:
                self.args.pretrained = False
            self.resume, resume = (
                False,
                self.resume,
            )  # else the parent would look for optimizer state in the checkpoint
            super().setup_model()
            self.resume = resume
        recipe = self.recipe
        if not self.resume and recipe.backbone is not None:
            copy_backbone(self.model, recipe.backbone)
        if not self.resume and recipe.start_from is not None:
            start_from_state(self.model, recipe.start_from, list(self.data["names"].values()))
        if recipe.precision == "bf16":
            self.model = self.model.to(memory_format=torch.channels_last)  # 1.27 x faster with bfloat16 on Zen 5

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> DetectionModel:
        """The detection network, without the parent's table of layers."""
        return super().get_model(cfg=cfg, weights=weights, verbose=False)

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> PartialDataset:
        """Our dataset; validation pictures are never cached (they are scored apart from the
        parent's validator).
        """
        stride = max(int(unwrap_model(self.model).stride.max()), 32)
        train = mode == "train"
        return PartialDataset(
            img_path=img_path, imgsz=self.args.imgsz, batch_size=batch, augment=train, hyp=self.args, rect=not train,
            cache=(None if self.recipe.cache == "none" else self.recipe.cache) if train else None, stride=stride,
            pad=0.0, prefix=colorstr(f"{mode}: "), task="detect", data=self.data,
        )  # fmt: skip

    def get_dataloader(self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train") -> Any:
        """Training pictures through the repeat sampler; the rest as ultralytics does."""
        if mode != "train":
            return super().get_dataloader(dataset_path, batch_size, rank, mode)
        dataset = self.build_dataset(dataset_path, mode, batch_size)
        repeats = picture_repeats(dataset, self.data["evidence"])
        _, _, epoch = self._position()
        sampler = RepeatSampler(repeats, self.recipe.seed, epoch)
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + epoch)
        return InfiniteDataLoader(
            dataset=dataset, batch_size=batch_size, sampler=sampler, num_workers=self.recipe.workers,
            collate_fn=dataset.collate_fn, worker_init_fn=seed_worker, generator=generator,
            prefetch_factor=4 if self.recipe.workers else None,
            drop_last=len(sampler) >= batch_size,  # a last batch of one picture breaks batch normalisation
        )  # fmt: skip

    def _position(self) -> tuple[int, int, int]:
        """First epoch of the stage, the one after its last, and the next epoch to train."""
        epoch = load_state(self.state_path).epoch if self.state_path.exists() else 0
        _, first, last = self.recipe.stage_at(epoch)
        return first, last, epoch

    def _setup_scheduler(self) -> None:
        self.lf = self.recipe.rate_factor
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lr_lambda=self.lf)

    def _setup_train(self) -> None:
        super()._setup_train()
        self.metrics = {"metrics/mAP50(B)": 0.0} | {f"ap50/{label}": 0.0 for label in self.data["names"].values()}
        self.amp = self.recipe.precision == "bf16"  # torch's CPU autocast is bfloat16; no scaler is needed

    def resume_training(self, ckpt: Any) -> None:
        """Set up the criterion and the weight average, then take over the state of the last
        finished epoch.
        """
        if self.recipe.loss == "partial":
            self.model.criterion = partial_criterion(self.model, self.table)
        self.ema = ModelEMA(self.model, decay=self.recipe.average_decay, tau=self.recipe.average_ramp)
        if not self.resume:
            return
        state = load_state(self.state_path)
        if state.root_hash != self.data["root_hash"]:
            raise DatasetError(
                f"{self.args.data}: the data changed since {self.state_path.parent.name} began "
                f"({state.root_hash[:12]} then, {self.data['root_hash'][:12]} now); "
                "restore it, or start a new run with start_from"
            )
        self.model.load_state_dict(state.model)
        self.ema.ema.load_state_dict(state.average)
        self.ema.updates = state.updates
        self.optimizer.load_state_dict(state.optimizer)
        self.best_fitness = state.best_fitness
        self.start_epoch = state.epoch
        LOGGER.info(f"Going on after epoch {state.epoch}")

    def label_loss_items(self, loss_items: Any = None, prefix: str = "train") -> Any:
        """As the parent, without names for validation losses: we score labels instead."""
        return [] if loss_items is None and prefix == "val" else super().label_loss_items(loss_items, prefix)

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Pictures as float 0..1, in the memory layout of the network."""
        batch = super().preprocess_batch(batch)
        stage, _, _ = self.recipe.stage_at(self.epoch)
        if stage.smallest is not None and stage.smallest < stage.image_size:
            side = random.randrange(stage.smallest, stage.image_size + 1, 32)
            batch["img"] = torch.nn.functional.interpolate(
                batch["img"], size=(side, side), mode="bilinear", align_corners=False, antialias=True
            )
        if self.recipe.precision == "bf16":
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    def validate(self) -> tuple[dict[str, float], float]:
        """Score the averaged weights on the val pictures that annotate each label; fitness is the
        mean AP50.
        """
        final = self.epoch + 1 >= self.epochs
        if not final and (self.epoch + 1) % self.recipe.score_every:
            return dict(self.metrics), float(self.fitness or 0.0)
        folder = Path(self.data["path"]) / "images" / "val"
        results = look_at_files(self.ema.ema.eval(), val_pictures(folder), self.recipe.score_size)
        self.scores = label_scores(results, list(self.data["names"].values()), self.data["evidence"])
        counted = {label: score.ap50 for label, score in self.scores.items() if score.ap50 is not None}
        if not counted:
            raise DatasetError(f"{folder}: no validation boxes; a run without validation cannot be judged")
        fitness = sum(counted.values()) / len(counted)
        metrics = dict(self.metrics) | {"metrics/mAP50(B)": fitness}
        metrics |= {f"ap50/{label}": value for label, value in counted.items()}
        if self.best_fitness is None or fitness > self.best_fitness:
            self.best_fitness = fitness
        LOGGER.info(
            f"epoch {self.epoch + 1} AP50 {fitness:.3f}: " + " ".join(f"{k} {v:.2f}" for k, v in counted.items())
        )
        return metrics, fitness

    def save_model(self) -> bool:
        """The parent's checkpoint (for other tools), then our state file, whole or not at all."""
        super().save_model()
        save_state(
            self.state_path,
            TrainState(
                epoch=self.epoch + 1,
                model=unwrap_model(self.model).state_dict(),
                average=self.ema.ema.state_dict(),
                updates=self.ema.updates,
                optimizer=self.optimizer.state_dict(),
                best_fitness=self.best_fitness,
                root_hash=self.data["root_hash"],
                labels=list(self.data["names"].values()),
                network=dict(unwrap_model(self.model).yaml),
            ),
        )
        return True

    def final_eval(self) -> None:
        """Draw what the averaged weights see in some val pictures; they were scored at the end of the last epoch."""
        folder = Path(self.data["path"]) / "images" / "val"
        labels = list(self.data["names"].values())
        draw_samples(self.ema.ema.eval(), folder, labels, self.save_dir / "val_predictions.jpg", self.recipe.score_size)
