/** What can be taken away of each method: which programs read it, and which transformers class opens the base. */
import { leavesModel } from '../../../recipe/kinds';
import type { MethodType, ObjectiveType } from '../../../recipe/types';

export type TakenAs = 'peft' | 'adapterhub' | 'model';

/** A method that trains the model's own weights gives a model; the others give what they added. */
export function takenAs(method: MethodType): TakenAs {
  if (method === 'bottleneck') return 'adapterhub';
  return leavesModel(method) ? 'model' : 'peft';
}

/** Whether what was learned is a change of weights, and can be added to them. */
export const merges = (method: MethodType): boolean =>
  takenAs(method) === 'model' || method === 'lora' || method === 'ia3';

const classes: Record<ObjectiveType, string> = {
  sft: 'AutoModelForCausalLM',
  pretraining: 'AutoModelForCausalLM',
  sequence_classification: 'AutoModelForSequenceClassification',
  token_classification: 'AutoModelForTokenClassification',
  masked_lm: 'AutoModelForMaskedLM',
};

/** Python that opens an adapter's folder. */
export function loadingCode(method: MethodType, objective: ObjectiveType, folder: string): string {
  const auto = classes[objective];
  if (takenAs(method) === 'adapterhub') {
    return `import adapters
from transformers import ${auto}

model = ${auto}.from_pretrained("path/to/base")
adapters.init(model)
model.load_adapter("${folder}", set_active=True)`;
  }
  return `from transformers import ${auto}
from peft import PeftModel

base = ${auto}.from_pretrained("path/to/base")
model = PeftModel.from_pretrained(base, "${folder}")`;
}
