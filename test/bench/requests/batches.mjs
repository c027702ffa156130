import { request } from 'undici';

const MAX_EVENTS = 100;

/** Sends JSON in batches, as plainly as it can be done: the same for whoever is measured with it. */
export class Batches {
  #waiting = [];
  #underWay = Promise.resolve();

  constructor(sinkUrl) {
    this.url = sinkUrl;
  }

  add(json) {
    if (this.#waiting.push(json) === MAX_EVENTS) {
      this.#send();
    }
  }

  flush() {
    if (this.#waiting.length > 0) {
      this.#send();
    }
    return this.#underWay;
  }

  #send() {
    const body = `[${this.#waiting.join(',')}]`;
    this.#waiting = [];
    this.#underWay = Promise.all([this.#underWay, this.#post(body)]);
  }

  async #post(body) {
    const answer = await request(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await answer.body.dump();
  }
}
