import { checkpointingParity } from '../parity/checkpointing';
import { openTestDevice } from './open-device';

checkpointingParity('webgpu', openTestDevice);
