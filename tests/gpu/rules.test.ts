import { rulesParity } from '../parity/rules';
import { openTestDevice } from './open-device';

rulesParity('webgpu', openTestDevice);
