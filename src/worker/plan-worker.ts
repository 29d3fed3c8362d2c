/** The plan worker: dry runs of training beside the engine, which may be busy. */
import { createPlanService } from './plan-service';
import { serve } from './rpc';

serve(createPlanService());
