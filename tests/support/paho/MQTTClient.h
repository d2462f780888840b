/* What docs/examples/device/device.c uses of Eclipse Paho's MQTTClient.h (1.3), for a compiler where that is not
 * installed: names, types and signatures, no code. */
#ifndef MQTTCLIENT_H
#define MQTTCLIENT_H

#define MQTTCLIENT_SUCCESS 0
#define MQTTCLIENT_PERSISTENCE_NONE 1

typedef void *MQTTClient;
typedef int MQTTClient_deliveryToken;

typedef struct {
    char struct_id[4];
    int struct_version;
    int payloadlen;
    void *payload;
    int qos, retained, dup, msgid;
} MQTTClient_message;

typedef struct {
    char struct_id[4];
    int struct_version;
    const char *topicName;
    const char *message;
    int retained;
    int qos;
} MQTTClient_willOptions;
#define MQTTClient_willOptions_initializer {{'M', 'Q', 'T', 'W'}, 1, (const char *)0, (const char *)0, 0, 0}

typedef struct {
    char struct_id[4];
    int struct_version;
    int keepAliveInterval;
    int cleansession;
    int reliable;
    MQTTClient_willOptions *will;
    const char *username;
    const char *password;
} MQTTClient_connectOptions;
#define MQTTClient_connectOptions_initializer \
    {{'M', 'Q', 'T', 'C'}, 8, 60, 1, 1, (MQTTClient_willOptions *)0, (const char *)0, (const char *)0}

typedef void MQTTClient_connectionLost(void *context, char *cause);
typedef int MQTTClient_messageArrived(void *context, char *topicName, int topicLen, MQTTClient_message *message);
typedef void MQTTClient_deliveryComplete(void *context, MQTTClient_deliveryToken dt);

int MQTTClient_create(MQTTClient *handle, const char *serverURI, const char *clientId, int persistence_type,
                      void *persistence_context);
int MQTTClient_setCallbacks(MQTTClient handle, void *context, MQTTClient_connectionLost *cl,
                            MQTTClient_messageArrived *ma, MQTTClient_deliveryComplete *dc);
int MQTTClient_connect(MQTTClient handle, MQTTClient_connectOptions *options);
int MQTTClient_disconnect(MQTTClient handle, int timeout);
int MQTTClient_subscribeMany(MQTTClient handle, int count, char *const *topic, int *qos);
int MQTTClient_publish(MQTTClient handle, const char *topicName, int payloadlen, const void *payload, int qos,
                       int retained, MQTTClient_deliveryToken *dt);
int MQTTClient_waitForCompletion(MQTTClient handle, MQTTClient_deliveryToken dt, unsigned long timeout);
void MQTTClient_freeMessage(MQTTClient_message **msg);
void MQTTClient_free(void *ptr);
void MQTTClient_destroy(MQTTClient *handle);

#endif
