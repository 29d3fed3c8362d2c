/** LoRA and its kin in PEFT. */
import type { LoraMethod } from '../../../../methods/lora';
import type { TrlMethod } from '../part';
import loraPlus from '../python/lora_plus.py?raw';
import pissaCode from '../python/pissa.py?raw';
import { ATTACH, openedByPeft } from './peft-adapter';

/** A run that goes on from an adapter has left the singular values behind. */
const pissa = ({ init_lora_weights, init_adapter }: LoraMethod) =>
  init_lora_weights === 'pissa' && init_adapter === null;

export const lora: TrlMethod<LoraMethod> = {
  type: 'lora',
  leaves: 'adapter',
  attach: (section) => [...ATTACH, ...(pissa(section) ? ['without_start(model)'] : [])],
  save: (section) =>
    pissa(section)
      ? `folder = Path(trainer.args.output_dir) / "adapter"
    trainer.save_model(str(folder))
    if trainer.is_world_process_zero():
        as_plain_lora(folder)`
      : null,
  python(section) {
    const { imports, definitions } = openedByPeft();
    const fromStart = pissa(section);
    const plus = section.loraplus_lr_ratio !== 1;
    return {
      imports: [
        ...imports,
        ...(fromStart
          ? ['from peft.tuners.lora import LoraLayer', 'from safetensors.torch import load_file, save_file']
          : []),
        ...(plus ? ['from peft.optimizers import create_loraplus_optimizer'] : []),
      ],
      definitions: [
        ...(plus ? [`LORAPLUS_LR_RATIO = ${section.loraplus_lr_ratio}`] : []),
        ...definitions,
        ...(fromStart ? [pissaCode] : []),
      ],
      mixins: plus ? [{ name: 'LoraPlus', code: loraPlus }] : [],
    };
  },
};
