/** The engine worker: WebGPU, training and checkpoints, off the page's thread. */

import '../closed';
import { serve } from '../../rpc/rpc';
import { createEngineService } from './service';

serve(createEngineService());
