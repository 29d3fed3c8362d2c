/** Adapters in folders that none of the methods writes, as the ones that they read. */
import type { AdapterFiles } from './adapter-format';
import { isMlx, peftFromMlx } from './mlx';

/** The files as they are, or converted to PEFT's. Throws `bad_adapter`. */
export const ownFolder = (files: AdapterFiles): AdapterFiles => (isMlx(files) ? peftFromMlx(files) : files);
