import path from 'node:path';
import { open } from 'lmdb';
import { BATCH, newEvent, poster } from './floors.mjs';

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text));

/**
 * The same with a disk: events become JSON at once, those of one turn of the event loop (at most one batch of them) one
 * value; values go out as they are stored, and are removed when the destination has them. Whatever a crash leaves is
 * there for the next start. No lease, no partition, no dead letter, no bound, nobody else on the file.
 *
 * @param perValue how many events share a value at most
 */
export function handWrittenLmdb(url, folder, { perValue = BATCH } = {}) {
  const connections = 4;
  const { post, close } = poster(url, { connections });
  const db = open({
    ...{ path: path.join(folder, 'floor.mdb'), encoding: 'binary' },
    ...{ keyEncoding: 'uint32', noSync: true, overlappingSync: false },
  });
  let parts = [];
  let written = 0;
  let stored = 0;
  let next = 0;
  let lanes = 0;
  let idle;

  const put = async () => {
    if (parts.length > 0) {
      const value = Buffer.from(parts.join(','));
      parts = [];
      await db.put(written++, value);
      stored++;
      if (lanes < connections) {
        void lane();
      }
    }
  };
  const lane = async () => {
    lanes++;
    while (next < stored) {
      const keys = [next++];
      for (let n = perValue; n < BATCH && next < stored; n += perValue) {
        keys.push(next++);
      }
      const values = keys.flatMap((key) => [COMMA, db.getBinary(key)]);
      await post(Buffer.concat([OPEN, ...values.slice(1), CLOSE]));
      for (const key of keys) {
        void db.remove(key);
      }
    }
    lanes--;
    if (lanes === 0 && next === written) {
      idle?.();
    }
  };
  return {
    emit: (i) => {
      parts.push(JSON.stringify(newEvent(i)));
      if (parts.length === perValue) {
        void put();
      } else if (parts.length === 1) {
        setImmediate(put);
      }
    },
    flush: async () => {
      void put();
      if (lanes > 0 || next < written) {
        await new Promise((resolve) => {
          idle = resolve;
        });
      }
      await db.committed;
    },
    close: async () => {
      await close();
      await db.close();
    },
  };
}
