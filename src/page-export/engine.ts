/** The worker of an exported page. */
import { serve } from '../rpc/rpc';
import { createInference } from './inference';

serve(createInference());
