/** The bytes of the largest config file that is read. Real ones have a few thousand. */
export const CONFIG_LIMIT = 1_000_000;
