"""The store: what a node keeps on disk, encrypted, changed in whole batches."""
