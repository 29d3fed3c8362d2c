/** The plan worker: dry runs of training beside the engine, which may be busy. */

import { serve } from '../../rpc/rpc';
import { createPlanService } from './service';

serve(createPlanService());
