"""Files of images: archives, folders, decoding, splits, and the cache of what was decoded once."""
