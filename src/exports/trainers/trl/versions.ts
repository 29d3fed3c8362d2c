/** The packages that the script was tried with; a test compares them with tests/oracle/requirements.txt. */
export const VERSIONS = {
  torch: '2.13.0',
  transformers: '5.23.0',
  trl: '1.16.0',
  peft: '0.21.2',
  accelerate: '1.15.0',
  datasets: '5.2.0',
  safetensors: '0.8.0',
  bitsandbytes: '0.50.2',
  gguf: '0.19.0',
} as const;

export type PackageName = keyof typeof VERSIONS;
