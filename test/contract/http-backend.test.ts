import { describe, it } from '@jest/globals';
import { httpBackend } from '../../lib/http/http-backend.js';
import type { FormatName } from '../../lib/formats/encoders.js';
import type { HttpBackend } from '../../lib/http/http-backend.js';
import type { Collector } from '../../lib/testing.js';
import { backendContract, startCollector } from '../../lib/testing.js';

describe.each<FormatName>(['json', 'ndjson'])(
  'httpBackend, %s, keeps the contract of a backend',
  (format) => {
    const collectors = new Map<HttpBackend, Collector>();
    const tests = backendContract(
      async () => {
        const collector = await startCollector();
        const backend = httpBackend({ url: collector.url, format });
        collectors.set(backend, collector);
        return backend;
      },
      {
        read: (backend) => collectors.get(backend)?.requests.flatMap(({ events }) => events) ?? [],
        dispose: (backend) => collectors.get(backend)?.close(),
      },
    );
    it.each(tests)('$name', ({ run }) => run());
  },
);
