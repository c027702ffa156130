import { describe, it } from '@jest/globals';
import { httpBackend } from '../../lib/http/http-backend.js';
import type { FormatName } from '../../lib/formats/encoders.js';
import type { HttpBackend } from '../../lib/http/http-backend.js';
import { backendContract } from '../../lib/testing/backend-contract.js';
import type { Collector } from '../../lib/testing/collector.js';
import { startCollector } from '../../lib/testing/collector.js';

describe.each<FormatName>(['json', 'ndjson'])('httpBackend, %s,', (format) => {
  const collectors = new Map<HttpBackend, Collector>();
  backendContract(
    async () => {
      const collector = await startCollector();
      const backend = httpBackend({ url: collector.url, format });
      collectors.set(backend, collector);
      return backend;
    },
    {
      ...{ describe, it },
      read: (backend) => collectors.get(backend)?.requests.flatMap(({ events }) => events) ?? [],
      dispose: (backend) => collectors.get(backend)?.close(),
    },
  );
});
