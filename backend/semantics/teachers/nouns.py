"""Common nouns, which a word has to compete with: what a thing is most likely called, a word that
does not fit it is beaten by.

The list was written down once, from what stands in rooms, streets, gardens and kitchens, and was
not fitted to anything.
"""

NOUNS = (
    "person", "man", "woman", "child", "baby", "face", "hand", "hair", "animal", "dog", "cat",
    "bird", "horse", "cow", "sheep", "fox", "bear", "elephant", "fish", "insect", "butterfly",
    "plant", "tree", "flower", "leaf", "grass", "bush", "cactus", "fruit", "apple", "banana",
    "orange", "lemon", "strawberry", "vegetable", "tomato", "carrot", "bread", "cake", "cheese",
    "egg", "meat", "sandwich", "pizza", "noodles", "soup", "food", "drink", "coffee", "tea",
    "wine", "beer", "milk", "water", "ice", "building", "house", "roof", "tower", "bridge",
    "church", "castle", "barn", "fence", "gate", "wall", "floor", "ceiling", "window", "door",
    "stairs", "column", "balcony", "chimney", "room", "kitchen", "bathroom", "bedroom",
    "office", "street", "road", "sidewalk", "path", "parking", "field", "forest", "mountain",
    "hill", "rock", "stone", "sand", "beach", "river", "lake", "sea", "sky", "cloud", "sun",
    "snow", "chair", "armchair", "couch", "stool", "bench", "table", "desk", "bed", "cabinet",
    "shelf", "wardrobe", "drawer", "lamp", "carpet", "curtain", "pillow", "blanket", "mattress",
    "mirror", "picture", "painting", "poster", "clock", "vase", "candle", "fireplace",
    "radiator", "fan", "sink", "bathtub", "toilet", "shower", "faucet", "towel", "soap",
    "refrigerator", "oven", "stove", "microwave", "dishwasher", "kettle", "toaster", "pot",
    "pan", "plate", "bowl", "cup", "mug", "glass", "bottle", "jar", "can", "fork", "knife",
    "spoon", "tray", "basket", "box", "crate", "barrel", "bucket", "bin", "bag", "backpack",
    "suitcase", "wallet", "umbrella", "book", "magazine", "newspaper", "paper", "notebook",
    "pen", "pencil", "scissors", "tape", "ruler", "stapler", "folder", "envelope", "card",
    "map", "sign", "flag", "computer", "laptop", "keyboard", "mouse", "monitor", "screen",
    "television", "phone", "tablet", "camera", "printer", "speaker", "headphones", "microphone",
    "remote", "cable", "plug", "socket", "switch", "battery", "robot", "car", "truck", "bus",
    "train", "airplane", "helicopter", "boat", "ship", "bicycle", "motorcycle", "scooter",
    "wheel", "tire", "engine", "trailer", "tractor", "hammer", "screwdriver", "wrench", "saw",
    "drill", "ladder", "shovel", "rope", "chain", "pipe", "brick", "board", "nail", "screw",
    "machine", "tool", "ball", "toy", "doll", "teddy", "figurine", "statue", "trophy",
    "balloon", "puzzle", "guitar", "piano", "drum", "violin", "trumpet", "shirt", "trousers",
    "dress", "jacket", "coat", "hat", "cap", "shoe", "boot", "glove", "scarf", "belt",
    "glasses", "watch", "ring", "necklace", "gun", "sword", "helmet", "shield", "tent",
)  # fmt: skip
