/**
 * Token ids -> text while they come. Decoding is asked for again with all ids so far, since a token's text depends on
 * its neighbours (a character may be spread over several), but never twice at a time: what came meanwhile goes together.
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

  /** The whole text, with what a half character at the end has become. */
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
        // A character whose bytes have not all come shows as U+FFFD: held back until it is whole.
        const text = (await this.decode(Int32Array.from(this.ids))).replace(/\uFFFD+$/, '');
        if (text === this.shown) continue;
        this.shown = text;
        this.onText(text);
      }
    } catch (cause) {
      // Told by finish(): nobody waits for this promise while tokens come.
      this.failure = cause;
    }
  }
}
