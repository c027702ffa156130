import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { SessionsStore } from './sessions.store.js';

@Module({
  imports: [TrackingModule.forFeature({ context: { feature: 'auth' } })],
  controllers: [AuthController],
  providers: [AuthService, SessionsStore],
  exports: [SessionsStore],
})
export class AuthModule {}
