/** Why nothing can be asked or measured now; false if it can. */
import { modelReady, useModel } from '../../../stores/model';
import { runActive, useTraining } from '../../../stores/training';
import { promptText as text } from '../../text/comparing';

export function useWhy(): string | false {
  const ready = useModel(modelReady);
  const training = useTraining(runActive);
  if (training) return text.gpuInUse;
  return ready ? false : text.noModel;
}
