/**
 * A GPU that never answers. WebGPU gives no sign when a driver hangs without a reset: what waits for the device would wait for
 * ever, and with it the run and its Stop.
 */
import { TabtuneError } from '../../base/errors';
import { within } from '../../base/patience';

/** Before there is a device: the browser only has to look. */
const OPEN_MS = 30_000;
/** Steps of seconds are usual, and on a GPU that is emulated on the CPU also some of a minute. */
const WORK_MS = 10 * 60_000;

const minutes = (ms: number) => (ms < 60_000 ? `${ms / 1000} seconds` : `${ms / 60_000} minutes`);

/** For requests of an adapter or a device. */
export function opened<T>(asked: Promise<T>, what: string, patience = OPEN_MS): Promise<T> {
  return within(
    asked,
    patience,
    () =>
      new TabtuneError({
        code: 'no_webgpu',
        message: `The browser did not answer within ${minutes(patience)} when it was asked for ${what}.`,
        where: 'WebGPU',
        action: 'Restart the browser. If it happens again, update the graphics driver, or try another browser.',
      }),
  );
}

/** Gives an end to everything that waits for this device. Call it before the device is used. */
export function watchAnswers(device: GPUDevice, patience = WORK_MS): void {
  const answered = <T>(asked: Promise<T>, what: string): Promise<T> =>
    within(
      asked,
      patience,
      () =>
        new TabtuneError({
          code: 'gpu_lost',
          message: `The GPU has not answered for ${minutes(patience)}.`,
          where: 'GPU device',
          action:
            'Resume the run from its last checkpoint. If it happens again, use a smaller batch size or max length, and restart the browser.',
          details: what,
        }),
    );
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    if (descriptor.usage & GPUBufferUsage.MAP_READ) {
      const map = buffer.mapAsync.bind(buffer);
      buffer.mapAsync = (...range) => answered(map(...range), 'mapAsync');
    }
    return buffer;
  };
  const { queue } = device;
  const done = queue.onSubmittedWorkDone.bind(queue);
  queue.onSubmittedWorkDone = () => answered(done(), 'onSubmittedWorkDone');
  const pop = device.popErrorScope.bind(device);
  device.popErrorScope = () => answered(pop(), 'popErrorScope');
}
