/** What runs in the pod: the same as on the laptop in the tunnel's benchmark, for callers from outside. */
import { serveLoad } from '../support/load-server.ts'

serveLoad().listen(8080, '0.0.0.0')
