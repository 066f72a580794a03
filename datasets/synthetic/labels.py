"""The labels of the product, in the order of every set that is written here."""

LABELS: tuple[str, ...] = (
    "garbage", "bin", "bin_overflow", "bulky_waste", "piled_materials", "street_stall", "graffiti", "pothole",
    "crack", "smoke", "fire", "bicycle", "motorcycle", "car", "truck", "bus", "van", "person", "machinery", "cone",
    "rubble_pile", "shop_goods", "manhole_abnormal", "ponding", "poster",
)
INDEX: dict[str, int] = {label: index for index, label in enumerate(LABELS)}
