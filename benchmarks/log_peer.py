"""Runs drain3 in the peers' own environment on a file of messages: CPU seconds and the number of each line's cluster.

Usage: python log_peer.py MESSAGES ANSWER raw|masked, where masks are those of its own example configuration.
"""

from __future__ import annotations

import json
import logging
import sys
import time

MASKS = (
    (r"(?<![\w])blk_-?\d+", "BLK"),
    (r"(?<![\w.])(\d{1,3}\.){3}\d{1,3}(:\d+)?", "IP"),
    (r"(?<![\w])0x[0-9a-fA-F]+", "HEX"),
    (r"(?<![\w])[-+]?\d+(?![\w])", "NUM"),
)


def main(messages: str, answer: str, how: str) -> None:
    """Parse line by line with a fresh tree, and write what came out."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    logging.disable(logging.CRITICAL)
    with open(messages, encoding="utf-8", errors="replace", newline="\n") as stream:
        lines = stream.read().split("\n")[:-1]
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    if how == "masked":
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    miner = TemplateMiner(config=config)
    start = time.process_time()
    clusters = [miner.add_log_message(line)["cluster_id"] for line in lines]
    used = time.process_time() - start
    with open(answer, "w", encoding="utf-8") as stream:
        json.dump({"cpu": used, "clusters": clusters}, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
