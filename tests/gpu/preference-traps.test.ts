import { preferenceTraps } from '../parity/preference-traps';
import { openTestDevice } from './open-device';

preferenceTraps('webgpu', openTestDevice);
