/** The engine worker: WebGPU, training and checkpoints, off the page's thread. */
import { createEngineService } from './engine-service';
import { serve } from './rpc';

serve(createEngineService());
