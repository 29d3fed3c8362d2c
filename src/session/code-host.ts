/** The page's side of the worker that runs the person's rewards. One that does not come to an end is ended, and replaced. */
import { TabtuneError } from '../base/errors';
import type { ScoredAnswer } from '../rewards';
import type { Connection } from '../rpc/rpc';
import type { RewardApi } from '../workers/reward/service';

/** Between two answers. The worker ends code after five seconds, unless that is inside one long call of the language. */
const SILENCE_MS = 20_000;

export class CodeHost {
  private connection: Connection<RewardApi> | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly start: () => Connection<RewardApi>,
    private readonly silence = SILENCE_MS,
  ) {}

  /** Numbers, or null where the code says nothing. Throws bad_reward, and names the answer. `name`: of the reward. */
  score(name: string, code: string, answers: ScoredAnswer[]): Promise<(number | null)[]> {
    const result = this.queue.then(() => this.run(name, code, answers));
    this.queue = result.catch(() => {});
    return result;
  }

  close(): void {
    this.connection?.terminate();
  }

  private async run(name: string, code: string, answers: ScoredAnswer[]): Promise<(number | null)[]> {
    if (!this.connection || this.connection.death) this.connection = this.start();
    let at = 0;
    const onAnswer = (next: number) => {
      at = next;
    };
    const plain = answers.map((answer) => ({ ...answer, tokens: Array.from(answer.tokens) }));
    const given = await this.connection
      .withoutSilence(this.silence)
      .run(code, plain, onAnswer)
      .catch((cause: unknown) => {
        const { code: kind } = TabtuneError.from(cause, { code: 'internal', message: '' });
        if (kind === 'timeout') throw failed(name, at, 'it did not come to an end, and was stopped');
        if (kind === 'worker_died') throw failed(name, at, 'its worker ended, perhaps for want of memory');
        throw cause;
      });
    return given.map((one, i) => {
      if ('wrong' in one) throw failed(name, i, one.wrong);
      return one.value;
    });
  }
}

const failed = (name: string, at: number, why: string): TabtuneError =>
  new TabtuneError({
    code: 'bad_reward',
    message: `${name} gave no reward for answer ${at + 1}: ${why}.`,
    where: 'objective.rewards',
    action: 'Mend its code, then resume the run or start it again.',
  });
