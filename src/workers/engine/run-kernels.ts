/**
 * Which kernels a run's products use: what was asked for, what was timed on this card, or what the run was started with. Only what
 * could be kept is used, so that the next run of the same recipe computes the same.
 */
import { TabtuneError } from '../../base/errors';
import { assertRuns, type Kernels } from '../../base/kernels';
import {
  classKey,
  type KeptChoices,
  type KeptKernels,
  type SeenProducts,
  type TimedClass,
} from '../../base/product-class';
import { type TuneOptions, timeOnGpu, tuneProducts } from '../../engine/run/tune-products';
import { adapterTraits, setAdapterTraits } from '../../engine/webgpu/adapter';
import type { EngineDevice } from '../../engine/webgpu/device';
import { clockOf } from '../../engine/webgpu/gpu-clock';
import { compileShaders, type Shader } from '../../engine/webgpu/pipelines';
import { keepChoices, keptChoices } from '../../storage/kernel-choices';
import type { RunKernels } from '../../storage/types';
import type { EngineEvent, TrainJob } from './api';
import { report } from './device-report';
import type { RunControl } from './run-control';

/** Of runs from before there was a choice. */
const USUAL: RunKernels = { asked: 'auto', chosen: {} };

interface Watched extends Pick<TuneOptions, 'stopped' | 'onProgress'> {
  onCompiled?: (share: number) => void;
}

/** Changes with whatever may change which kernels are fast, and with nothing else. */
export function cardKey(engine: EngineDevice): string {
  const { vendor, architecture, description, software, subgroupSizes, features, limits } = report(engine);
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage } = limits;
  const shaders = features.filter((name) => name === 'subgroups' || name === 'shader-f16');
  return JSON.stringify([
    ...[vendor, architecture, engine.card, description, software, subgroupSizes, shaders],
    ...[maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage],
  ]);
}

export class EngineKernels {
  asked: Kernels = 'auto';
  private engine: EngineDevice | null = null;

  /** `version` of the app: another one may have other kernels. */
  constructor(
    private readonly version: string,
    private readonly time: TuneOptions['time'] = timeOnGpu,
  ) {}

  /** Makes a device compute with what was asked for. Throws `bad_option` where it cannot. */
  open(engine: EngineDevice): EngineDevice {
    try {
      assertRuns(this.asked, adapterTraits(engine.device));
    } catch (error) {
      engine.release();
      throw error;
    }
    this.engine = engine;
    this.use({ ...USUAL, asked: this.asked });
    return engine;
  }

  /**
   * The job with its kernels in the record, where a resumed run has them already; and what is to be said of them. The shaders that it is
   * known to need are compiled.
   */
  async begin(job: TrainJob, watched: Watched = {}): Promise<TrainJob> {
    const kernels = job.resume
      ? (job.run.kernels ?? USUAL)
      : { asked: this.asked, chosen: await this.chosen(job, watched) };
    this.use(kernels);
    await this.compile(job.shaders ?? [], kernels, watched);
    const { data } = job.run;
    const note = job.resume ? this.otherwise(kernels) : null;
    const notes = note === null ? {} : { data: data && { ...data, notes: [...(data.notes ?? []), note] } };
    return { ...job, run: { ...job.run, kernels, ...notes } };
  }

  /** The forecast's shaders are of the usual kernels. A CPU that runs them is as busy with one after the other. */
  private async compile(shaders: readonly Shader[], { asked }: RunKernels, watched: Watched): Promise<void> {
    if (!this.engine || asked !== 'auto' || adapterTraits(this.engine.device).software) return;
    const { stopped, onCompiled } = watched;
    await compileShaders(this.engine.device, shaders, { stopped, onProgress: onCompiled });
  }

  /** After a run. */
  end(): void {
    this.use({ ...USUAL, asked: this.asked });
  }

  async kept(): Promise<KeptKernels> {
    const { engine, asked } = this;
    return { asked, choices: engine && (await keptChoices(cardKey(engine), this.version)) };
  }

  /** Times all that is kept once more. */
  async measure({ stopped = () => false, onProgress }: Watched): Promise<KeptKernels> {
    const { choices } = await this.kept();
    const seen = Object.values(choices?.classes ?? {}).map(({ shape }) => ({ shape, count: 1 }));
    if (seen.length > 0) await this.tune(seen, null, { stopped, onProgress });
    if (stopped()) throw new TabtuneError({ code: 'cancelled', message: 'Timing the kernels was cancelled.' });
    return this.kept();
  }

  async choose(timed: boolean): Promise<KeptKernels> {
    const { choices } = await this.kept();
    if (this.engine && choices) {
      const { off: _, ...rest } = choices;
      await keepChoices(cardKey(this.engine), timed ? rest : { ...rest, off: true });
    }
    return this.kept();
  }

  /** What was timed to be best for a run's products, where that is not the usual scheme. */
  private async chosen({ products = [], run }: TrainJob, watched: Watched): Promise<RunKernels['chosen']> {
    if (this.asked !== 'auto' || !this.engine) return {};
    // Where tiles round to f16, another scheme would change more than last digits.
    if (adapterTraits(this.engine.device).software || run.recipe.training.fp16) return {};
    try {
      const { choices } = await this.kept();
      if (choices?.off) return {};
      const classes = { ...choices?.classes, ...(await this.tune(products, choices, watched)) };
      const own = products.flatMap(({ shape }) => {
        const key = classKey(shape);
        const { chosen, usual } = classes[key] ?? {};
        return chosen && chosen !== usual ? [[key, chosen] as const] : [];
      });
      return Object.fromEntries(own);
    } catch (cause) {
      // A run must not end for a database that keeps nothing; with the usual kernels it repeats without one.
      if (!(cause instanceof TabtuneError && cause.code.startsWith('storage'))) throw cause;
      console.warn('The kernels of this GPU could not be kept, so the usual ones are used.', cause);
      return {};
    }
  }

  /** Times the products that nothing is kept of, and keeps what was found. */
  private async tune(
    seen: readonly SeenProducts[],
    before: KeptChoices | null,
    watched: Watched,
  ): Promise<Record<string, TimedClass>> {
    const { engine } = this;
    if (!engine) return {};
    const { subgroups } = adapterTraits(engine.device);
    const known = before?.classes ?? {};
    const found = await tuneProducts(seen, known, { time: this.time, subgroups, ...watched });
    const whole = before !== null || !watched.stopped?.();
    if (whole && Object.keys(found).length > 0) {
      await keepChoices(cardKey(engine), {
        version: this.version,
        since: before?.since ?? Date.now(),
        clock: clockOf(engine),
        classes: { ...known, ...found },
      });
    }
    return found;
  }

  /** What a resumed run computes with, if that is not what was asked for, or not what it was started with. */
  private otherwise({ asked, chosen }: RunKernels): string | null {
    const quads = asked === 'quad' || Object.values(chosen).includes('quad');
    if (quads && this.engine && !adapterTraits(this.engine.device).subgroups) {
      return 'The run was started with quad kernels, which this GPU cannot run. It goes on with others, so its last digits differ from an undisturbed run’s.';
    }
    if (asked === this.asked) return null;
    return `The run goes on with the kernels that it was started with (${asked}), not those asked for now (${this.asked}), so that its results repeat.`;
  }

  private use({ asked, chosen }: RunKernels): void {
    if (!this.engine) return;
    const { device } = this.engine;
    // Without choices, nothing has to be looked up.
    const own = Object.keys(chosen).length > 0 ? chosen : undefined;
    setAdapterTraits(device, { ...adapterTraits(device), kernels: asked, chosen: own });
  }
}

/** How a run's page stops what comes before the run, and hears of it. */
export const watchedBy = (control: RunControl, onEvent: (event: EngineEvent) => void): Watched => ({
  stopped: () => control.stopRequested(),
  onProgress: (share) => onEvent({ type: 'state', state: 'timing', share }),
  onCompiled: (share) => onEvent({ type: 'state', state: 'compiling', share }),
});
