/** Gradient checkpointing, and computing cheap activations again, change what is kept but not a single number: one body for both backends. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cheapMemory } from '../../src/engine/run/checkpointing';
import { numTensors, type TinyName, timeless, withRun } from './tiny-run';

async function outcome(name: TinyName, checkpointing: boolean) {
  return withRun({ name, totalSteps: 10, dropout: 0.2, checkpointing, settings: { eval_steps: 5 } }, async (run) => {
    await run.start();
    const steps = timeless(run.told.steps).map(({ dispatches: _, ...step }) => step);
    const { dispatches } = run.told.steps.at(-1)!;
    return { steps, dispatches, evaluations: timeless(run.told.evaluations), tensors: await run.optimizer.save() };
  });
}

/** The same with room for so many bytes of cheap activations. */
async function withRoom(name: TinyName, bytes: number, checkpointing = false) {
  const own = { ...cheapMemory };
  Object.assign(cheapMemory, { pass: bytes, block: bytes });
  try {
    return await outcome(name, checkpointing);
  } finally {
    Object.assign(cheapMemory, own);
  }
}

/** `setUp` prepares the backend for all of these tests. */
export function checkpointingParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: gradient checkpointing`, () => {
    beforeAll(setUp);

    test.each<TinyName>(['gqa-tied', 'gqa-untied-odd'])(
      '%s: ten steps with dropout are the same to the last bit with and without it',
      async (name) => {
        const plain = await outcome(name, false);
        const before = numTensors();
        const again = await outcome(name, true);
        expect(numTensors()).toBe(before);
        expect(plain.steps).toHaveLength(10);
        expect(plain.steps.at(-1)!.loss).toBeLessThan(plain.steps[0]!.loss);
        expect(again.steps).toEqual(plain.steps);
        expect(again.evaluations).toEqual(plain.evaluations);
        expect([...again.tensors.keys()]).toEqual([...plain.tensors.keys()]);
        for (const [key, { data }] of plain.tensors) expect(again.tensors.get(key)!.data, key).toEqual(data);
        // Blocks were computed twice; otherwise this would compare a run with itself.
        if (backend === 'webgpu') expect(again.dispatches).toBeGreaterThan(1.2 * plain.dispatches);
      },
    );

    test.each<TinyName>(['gqa-tied', 'gqa-untied-odd'])(
      '%s: ten steps with dropout are the same to the last bit with no, some and all cheap activations kept',
      async (name) => {
        const before = numTensors();
        const [all, some, none, blocks] = [
          await withRoom(name, Number.POSITIVE_INFINITY),
          await withRoom(name, 8192),
          await withRoom(name, 0),
          await withRoom(name, 0, true),
        ];
        expect(numTensors()).toBe(before);
        for (const other of [some, none, blocks]) {
          expect(other.steps).toEqual(all.steps);
          expect(other.evaluations).toEqual(all.evaluations);
          for (const [key, { data }] of all.tensors) expect(other.tensors.get(key)!.data, key).toEqual(data);
        }
        if (backend === 'webgpu') {
          expect(some.dispatches).toBeGreaterThan(all.dispatches);
          expect(none.dispatches).toBeGreaterThan(some.dispatches);
        }
      },
    );
  });
}
