/** Files for `accelerate launch`: how many processes share the steps, and how they hold the model. */
import type { ExportedFile } from '../../export';
import { yamlValue } from './literals';
import type { Settings } from './part';

/** Of all files. TRL's own say bf16. */
const COMMON: Settings = {
  compute_environment: 'LOCAL_MACHINE',
  debug: false,
  machine_rank: 0,
  num_machines: 1,
  main_training_function: 'main',
  rdzv_backend: 'static',
  same_network: true,
  downcast_bf16: 'no',
  enable_cpu_affinity: false,
};

interface AccelerateFile {
  about: string;
  settings: Settings;
}

const FILES: Record<string, AccelerateFile> = {
  single_gpu: { about: 'One GPU.', settings: { distributed_type: 'NO', num_processes: 1, use_cpu: false } },
  multi_gpu: {
    about: 'Several GPUs, each with the whole model: num_processes is their number.',
    settings: { distributed_type: 'MULTI_GPU', num_processes: 2, gpu_ids: 'all', use_cpu: false },
  },
  fsdp2: {
    about: 'Several GPUs that share the weights (FSDP2): num_processes is their number.',
    settings: {
      distributed_type: 'FSDP',
      num_processes: 2,
      use_cpu: false,
      fsdp_config: {
        fsdp_version: 2,
        fsdp_auto_wrap_policy: 'TRANSFORMER_BASED_WRAP',
        fsdp_reshard_after_forward: true,
        fsdp_state_dict_type: 'FULL_STATE_DICT',
        fsdp_cpu_ram_efficient_loading: true,
        fsdp_activation_checkpointing: false,
        fsdp_offload_params: false,
      },
    },
  },
  zero3: {
    about:
      'Several GPUs that share the weights (DeepSpeed ZeRO-3, pip install deepspeed): num_processes is their number.',
    settings: {
      distributed_type: 'DEEPSPEED',
      num_processes: 2,
      use_cpu: false,
      deepspeed_config: {
        deepspeed_multinode_launcher: 'standard',
        zero_stage: 3,
        zero3_init_flag: true,
        zero3_save_16bit_model: true,
        offload_optimizer_device: 'none',
        offload_param_device: 'none',
      },
    },
  },
  cpu: {
    about:
      'Several processes on the CPU. accelerate starts one for --cpu, whatever --num_processes says; with this file, so many.',
    settings: { distributed_type: 'MULTI_GPU', num_processes: 2, use_cpu: true },
  },
};

/** Settings below each other; objects indented. */
const yamlLines = (settings: Settings, indent = ''): string[] =>
  Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [`${indent}${key}:`, ...yamlLines(value, `${indent}  `)]
      : [`${indent}${key}: ${yamlValue(value)}`],
  );

/** On a CPU, Accelerate ignores fp16. */
export const accelerateFiles = (fp16: boolean): ExportedFile[] =>
  Object.entries(FILES).map(([name, { about, settings }]) => ({
    path: `accelerate/${name}.yaml`,
    blob: new Blob([
      `# ${about}\n${yamlLines({ ...COMMON, mixed_precision: fp16 && !settings.use_cpu ? 'fp16' : 'no', ...settings }).join('\n')}\n`,
    ]),
  }));
