"""How large what comes from outside may be: far above real work, far below what hurts a machine.

Standard library only. Limits of one format alone stand in its reader.
"""

MIB, GIB = 1 << 20, 1 << 30

# bytes of files
MOST_FILE = 1 << 43  # of any: no disk of ours holds more, /proc and sparse files claim it
MOST_MEMORY_FILE = 16 * GIB  # of what is read whole: 200 million packed splats
MOST_TEXT = 64 * MIB
LONGEST_LINE = 16 * MIB
MOST_PICTURE_FILE = 2 * GIB
MOST_MODEL = 8 * GIB  # of a network's weights
MOST_ONNX = 2 * GIB - 1  # of an ONNX file without what lies beside it: protocol buffers end there

# JSON: each value takes about a hundred bytes of memory
MOST_JSON = 256 * MIB
MOST_VALUES = 8_000_000
MOST_DIGITS = 40  # of a whole number

# pictures: of medium format backs, and of 16,384 x 8,192 environments
MOST_PIXELS = 140_000_000
MOST_FRAME_PIXELS = 80_000_000  # of a video: above 8K's 33 million, twice over

# numpy archives: what they may inflate to is either little, or not far above what lies on disk
MOST_MEMBERS = 256
INFLATED_ANYWAY = 512 * MIB
INFLATION = 100  # times the file's size
