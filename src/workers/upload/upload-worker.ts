/** The upload worker. Like the download worker, it has the page's policy. */

import { noteCall, noting, tellRequests } from '../../base/requests';
import { type Put, put } from '../../hub/push/put';
import { serve } from '../../rpc/rpc';
import { createUploadService } from './service';

self.fetch = noting(self.fetch.bind(self));
tellRequests();

const noted: Put = (url, body, ...rest) =>
  noteCall({ url, method: 'PUT', sent: body.size }, () => put(url, body, ...rest));

serve(createUploadService({ put: noted }));
