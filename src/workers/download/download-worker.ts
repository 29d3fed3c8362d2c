/** The download worker. Only workers can write files of the origin private file system in place. */

import { noting, tellRequests } from '../../base/requests';
import { serve } from '../../rpc/rpc';
import { createDownloadService } from './service';

self.fetch = noting(self.fetch.bind(self));
tellRequests();
serve(createDownloadService());
