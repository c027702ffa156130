import { Body, Controller, Post } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import { AuthService } from './auth.service.js';
import type { SignIn } from './sign-in.pipe.js';
import { SignInPipe } from './sign-in.pipe.js';

@Controller('sign-in')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Post()
  @Track('sign_in.refused', { on: 'failure' })
  signIn(@Body(SignInPipe) signIn: SignIn): { token: string } {
    return { token: this.auth.signIn(signIn) };
  }
}
