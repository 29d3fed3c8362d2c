import { describe, expect, it } from 'vitest';
import { assertRuns, readKernels } from '../../../src/base/kernels';
import { withKernels } from '../../../src/session/with-kernels';
import type { EngineApi } from '../../../src/workers/engine/api';

describe('the kernels that are asked for', () => {
  it('are one of five names, and others are refused with the names and where they stood', () => {
    for (const name of ['auto', 'register', 'quad', 'tile', 'split']) expect(readKernels(name, '')).toBe(name);
    for (const name of ['', 'Tile', 'wg']) {
      expect(() => readKernels(name, '?kernels=')).toThrow(
        expect.objectContaining({
          code: 'bad_option',
          message: `There are no kernels called “${name}”.`,
          where: '?kernels=',
          action: 'Choose one of auto, register, quad, tile, split.',
        }),
      );
    }
  });

  it('are refused where the device cannot run them', () => {
    for (const name of ['auto', 'register', 'tile', 'split'] as const) assertRuns(name, { subgroups: false });
    assertRuns('quad', { subgroups: true });
    expect(() => assertRuns('quad', { subgroups: false })).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: 'This GPU cannot run the quad kernels, because it has no subgroups.',
        action: 'Choose one of auto, register, tile, split.',
      }),
    );
  });
});

describe('a session’s engine', () => {
  function connections() {
    const told: string[] = [];
    const api = { useKernels: async (name: string) => void told.push(name) } as unknown as EngineApi;
    return { told, start: () => ({ api, death: null }) as never };
  }

  it('is told them at every start', () => {
    const { told, start } = connections();
    const { start: begun, problem } = withKernels(start, { text: 'tile', where: '--kernels' });
    expect(problem).toBeNull();
    begun();
    begun();
    expect(told).toEqual(['tile', 'tile']);
  });

  it('hears nothing where none or a wrong one is asked for, which is a problem with its place', () => {
    const { told, start } = connections();
    expect(withKernels(start, undefined).problem).toBeNull();
    const { start: begun, problem } = withKernels(start, { text: 'fast', where: '--kernels' });
    expect(problem).toMatchObject({ code: 'bad_option', where: '--kernels' });
    begun();
    expect(told).toEqual([]);
  });
});
