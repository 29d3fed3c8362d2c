import { weightPenaltyParity } from '../parity/weight-penalty';
import { openTestDevice } from './open-device';

weightPenaltyParity('webgpu', openTestDevice);
