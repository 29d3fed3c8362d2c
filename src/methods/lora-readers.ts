/** What programs other than PEFT say of a LoRA adapter: why they cannot use it, as a sentence's second half, or null. */

const MERGE = 'merge the adapter into its model.';

export const noDora = ({ use_dora }: { use_dora: boolean }): string | null =>
  use_dora ? `it knows no DoRA; ${MERGE}` : null;

export function savedInFull({ modules_to_save: names }: { modules_to_save: readonly string[] }): string | null {
  if (names.length === 0) return null;
  return `it does not take modules that are trained in full (${names.map((name) => `\`${name}\``).join(', ')}); ${MERGE}`;
}

interface Ranks {
  r: number;
  rank_pattern: Readonly<Record<string, number>>;
  init_lora_weights: string;
}

/** The values that vLLM takes for --max-lora-rank (MaxLoRARanks in vllm/config/lora.py); it compares every rank in the config with it. */
const VLLM_RANKS = [1, 8, 16, 32, 64, 128, 256, 320, 512];

/** What --max-lora-rank must be, or why no value is large enough. */
export function vllmRank({ r, rank_pattern, init_lora_weights }: Ranks): { maxRank: number } | string {
  // PiSSA is saved as plain LoRA of twice the rank.
  const largest = Math.max(r, ...Object.values(rank_pattern)) * (init_lora_weights === 'pissa' ? 2 : 1);
  const maxRank = VLLM_RANKS.find((rank) => rank >= largest);
  return maxRank === undefined
    ? `its largest rank is ${VLLM_RANKS.at(-1)}, and this adapter has one of ${largest}; ${MERGE}`
    : { maxRank };
}
