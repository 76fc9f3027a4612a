// AWS's C API over one agent, the only global object of this library.
#include "agent/src/ota_c_api.h"

#include <cstring>

namespace {

void on_timer(OtaTimerId_t timer);

struct Instance {
  ota::CEnvironment environment{on_timer};
  ota::Agent agent{environment};
};

Instance instance;

void on_timer(OtaTimerId_t timer) {
  instance.agent.on_timer(timer);
}

}  // namespace

namespace ota {

void configure(const Settings& settings) {
  instance.agent.configure(settings);
}
void set_extras(const Extras& extras) {
  instance.environment.set_extras(extras);
}

}  // namespace ota

OtaErr_t OTA_Init(const OtaAppBuffer_t* pOtaBuffer, const OtaInterfaces_t* pOtaInterfaces,
                  const uint8_t* pThingName, OtaAppCallback_t OtaAppCallback) {
  if (pOtaBuffer == nullptr || pOtaInterfaces == nullptr || pThingName == nullptr) return OtaErrUninitialized;
  if (instance.agent.state() == OtaAgentStateStopped)
    instance.environment.bind(*pOtaInterfaces, OtaAppCallback);
  const auto* name = reinterpret_cast<const char*>(pThingName);
  return instance.agent.init(*pOtaBuffer, {name, strnlen(name, otaconfigMAX_THINGNAME_LEN + 1)});
}

OtaState_t OTA_Shutdown(uint32_t ticksToWait, uint8_t unsubscribeFlag) {
  return instance.agent.shutdown(ticksToWait, unsubscribeFlag != 0);
}

OtaState_t OTA_GetState(void) {
  return instance.agent.state();
}
OtaErr_t OTA_ActivateNewImage(void) {
  return instance.agent.activate_new_image();
}
OtaErr_t OTA_SetImageState(OtaImageState_t state) {
  return instance.agent.set_image_state(state);
}
OtaImageState_t OTA_GetImageState(void) {
  return instance.agent.image_state();
}

OtaErr_t OTA_CheckForUpdate(void) {
  const bool is_queued = instance.agent.signal({nullptr, OtaAgentEventRequestJobDocument});
  return is_queued ? OtaErrNone : OtaErrSignalEventFailed;
}

OtaErr_t OTA_Suspend(void) {
  return instance.agent.suspend();
}
OtaErr_t OTA_Resume(void) {
  return instance.agent.resume();
}
void OTA_EventProcessingTask(const void* /*pUnused*/) {
  instance.agent.run();
}
OtaState_t OTA_EventProcess(void) {
  return instance.agent.process_next_event();
}

bool OTA_SignalEvent(const OtaEventMsg_t* const pEventMsg) {
  return pEventMsg != nullptr && instance.agent.signal(*pEventMsg);
}

OtaErr_t OTA_GetStatistics(OtaAgentStatistics_t* pStatistics) {
  if (pStatistics == nullptr) return OtaErrInvalidArg;
  *pStatistics = instance.agent.statistics();
  return OtaErrNone;
}
