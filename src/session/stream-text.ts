/**
 * Turns token ids into text as they arrive. All ids so far are decoded again each time, because a token's text depends
 * on its neighbours (a character may span several tokens). Only one decode runs at a time; ids that arrive meanwhile go
 * into the next one.
 */
export class StreamText {
  private readonly ids: number[] = [];
  private decoding: Promise<void> | null = null;
  private decoded = 0;
  private shown = '';
  private failure: unknown = null;

  constructor(
    private readonly decode: (ids: Int32Array) => Promise<string>,
    private readonly onText: (text: string) => void,
  ) {}

  push(id: number): void {
    this.ids.push(id);
    this.decoding ??= this.catchUp().finally(() => {
      this.decoding = null;
    });
  }

  /** The whole text, including any incomplete character at the end. */
  async finish(ids: Int32Array): Promise<string> {
    await this.decoding;
    if (this.failure !== null) throw this.failure;
    const text = await this.decode(ids);
    if (text !== this.shown) this.onText(text);
    return text;
  }

  private async catchUp(): Promise<void> {
    try {
      while (this.failure === null && this.decoded < this.ids.length) {
        this.decoded = this.ids.length;
        // An incomplete character decodes to U+FFFD, so it is held back until it is complete.
        const text = (await this.decode(Int32Array.from(this.ids))).replace(/\uFFFD+$/, '');
        if (text === this.shown) continue;
        this.shown = text;
        this.onText(text);
      }
    } catch (cause) {
      // Reported by finish(), because nobody awaits this promise while tokens arrive.
      this.failure = cause;
    }
  }
}
