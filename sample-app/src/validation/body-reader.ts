import { BadRequestException } from '@nestjs/common';

const SHOWN_LENGTH = 40;

/** Reads the fields of a request's body. Everything that is wrong is told at once, in one 400. */
export class BodyReader {
  private readonly problems: string[] = [];
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(body: unknown) {
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
    this.fields = isObject ? (body as Record<string, unknown>) : {};
    if (!isObject) {
      this.wrong('the body', 'a JSON object', body);
    }
  }

  integer(name: string, min: number, max: number): number {
    const value = this.fields[name];
    if (Number.isSafeInteger(value)) {
      const number = value as number;
      if (number >= min && number <= max) {
        return number;
      }
    }
    this.wrong(name, `an integer from ${min} to ${max}`, value);
    return min;
  }

  text(name: string, maxLength: number): string {
    const value = this.fields[name];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= maxLength) {
      return value;
    }
    this.wrong(name, `a text of 1 to ${maxLength} characters`, value);
    return '';
  }

  optionalText(name: string, maxLength: number): string | undefined {
    return this.fields[name] === undefined ? undefined : this.text(name, maxLength);
  }

  email(name: string): string {
    const value = this.fields[name];
    if (typeof value === 'string' && value.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(value)) {
      return value.toLowerCase();
    }
    this.wrong(name, 'an e-mail address', value);
    return '';
  }

  /** @throws BadRequestException */
  throwIfWrong(): void {
    if (this.problems.length > 0) {
      throw new BadRequestException(this.problems);
    }
  }

  private wrong(what: string, expected: string, value: unknown): void {
    // A body is JSON: only a missing field is not.
    const got = value === undefined ? 'nothing' : JSON.stringify(value);
    const shown = got.length > SHOWN_LENGTH ? `${got.slice(0, SHOWN_LENGTH)}…` : got;
    this.problems.push(`expected ${what} to be ${expected}, got ${shown}`);
  }
}
