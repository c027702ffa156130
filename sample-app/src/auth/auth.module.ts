import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { AuthController } from './auth.controller.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [TrackingModule.forFeature({ context: { feature: 'auth' } })],
  controllers: [AuthController],
  providers: [SessionsService],
  exports: [SessionsService],
})
export class AuthModule {}
