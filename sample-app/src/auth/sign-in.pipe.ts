import type { PipeTransform } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { BodyReader } from '../validation/body-reader.js';

export interface SignIn {
  readonly name: string;
  readonly email: string;
}

@Injectable()
export class SignInPipe implements PipeTransform<unknown, SignIn> {
  transform(body: unknown): SignIn {
    const reader = new BodyReader(body);
    const name = reader.text('name', 80);
    const email = reader.email('email');
    reader.throwIfWrong();
    return { name, email };
  }
}
