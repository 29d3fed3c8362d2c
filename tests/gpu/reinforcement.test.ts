import { reinforcementParity } from '../parity/reinforcement';
import { openTestDevice } from './open-device';

reinforcementParity('webgpu', openTestDevice);
