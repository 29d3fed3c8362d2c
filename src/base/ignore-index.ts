/** Label of a position that no loss counts: PyTorch's default `ignore_index`. */
export const IGNORE_INDEX = -100;
