"""The fault lab's faults: mistakes people make, one file each, found by scanning this folder."""
