import { bottleneckParity } from '../parity/bottleneck';
import { openTestDevice } from './open-device';

bottleneckParity('webgpu', openTestDevice);
