"""The ML engineer's loop: data sets, training, evaluation, promotion. Needs the extra `train` where it trains."""
