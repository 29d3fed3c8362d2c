/** The shapes of classification heads, as families describe them. */

/** What a head classifies. */
export type TaskKind = 'texts' | 'words';

/** One linear of a head, with what precedes and follows it. */
export interface HeadLayer {
  path: string;
  /** Labels out, or the hidden width. */
  out: 'labels' | 'hidden';
  bias: boolean;
  dropBefore: boolean;
  after: 'tanh' | 'relu' | null;
  /**
   * Belongs to the base, and is read from the checkpoint if that has it. If not, it is trained, and saved under this name
   * in PEFT's modules_to_save.
   */
  stored?: string;
}

export interface ClassificationHead {
  /** As in PEFT's modules_to_save. */
  modules: readonly string[];
  /** The token whose hidden states stand for a text; null: each token is classified. */
  row: 'first' | 'last' | null;
  layers: readonly HeadLayer[];
}

export interface ClassificationHeads {
  /** Beginning of the class names, `Bert` of BertForTokenClassification; that of the first architecture if left out. */
  classStem?: string;
  /** `prefix` precedes the encoder's paths: `bert.`, or nothing if the checkpoint is the bare encoder. */
  sequence(prefix: string): ClassificationHead;
  tokens: ClassificationHead;
}

export const headLayer = (path: string, out: HeadLayer['out'], more: Partial<HeadLayer> = {}): HeadLayer => ({
  path,
  out,
  bias: true,
  dropBefore: false,
  after: null,
  ...more,
});

/** One linear, which is all that any family has for tokens. */
export const tokenHead = (path: string): ClassificationHead => ({
  modules: [path],
  row: null,
  layers: [headLayer(path, 'labels', { dropBefore: true })],
});

/** Decoders alike, but for the name of the token head in some. */
export const decoderHeads: ClassificationHeads = {
  sequence: () => ({ modules: ['score'], row: 'last', layers: [headLayer('score', 'labels', { bias: false })] }),
  tokens: tokenHead('score'),
};
