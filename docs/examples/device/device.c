/* A device in C (Eclipse Paho, the synchronous client): store and forward. A reading is on disk before it is sent, until
 * its PUBACK.
 *
 *     cc -std=c11 -Wall -o device device.c -lpaho-mqtt3c
 *     ./device HOST PORT ACCOUNT DEVICE TOKEN FOLDER < levels
 *
 * Each line of standard input is a level of the black toner, 0..1. FOLDER is the device's own. The program ends when the
 * input has ended and every reading is acknowledged.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <MQTTClient.h>

enum { TEXT = 512, PAYLOAD = 512, KEEP_ALIVE_S = 60, PUBACK_MS = 10000, FIRST_PAUSE_S = 1, LAST_PAUSE_S = 120 };

/* ---- the store: files FOLDER/1, 2, 3, ... ; `next` is free, those from `first` on may be there ---- */

struct store {
    char folder[TEXT];
    unsigned long first, next;
};

static void file_of(const struct store *store, unsigned long number, const char *suffix, char *path, size_t size) {
    snprintf(path, size, "%s/%lu%s", store->folder, number, suffix);
}

static int sync_folder(const char *folder) {
    int handle = open(folder, O_RDONLY);
    if (handle < 0) return -1;
    int failed = fsync(handle);
    close(handle);
    return failed;
}

/* Two small files remember the bounds, so that a restart finds what is left. */
static unsigned long bound(const struct store *store, const char *name) {
    char path[2 * TEXT];
    unsigned long value = 1;
    snprintf(path, sizeof path, "%s/%s", store->folder, name);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%lu", &value) != 1) value = 1;
        fclose(file);
    }
    return value;
}

static int write_whole(const char *path, const char *folder, const char *text, size_t size) {
    char temporary[2 * TEXT];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int handle = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (handle < 0) return -1;
    int failed = write(handle, text, size) != (ssize_t)size || fsync(handle);
    close(handle);
    return failed || rename(temporary, path) || sync_folder(folder) ? -1 : 0;
}

static int set_bound(const struct store *store, const char *name, unsigned long value) {
    char path[2 * TEXT], text[32];
    snprintf(path, sizeof path, "%s/%s", store->folder, name);
    int size = snprintf(text, sizeof text, "%lu", value);
    return write_whole(path, store->folder, text, (size_t)size);
}

static int store_open(struct store *store, const char *folder) {
    if (snprintf(store->folder, sizeof store->folder, "%s", folder) >= TEXT) return -1;
    if (mkdir(folder, 0700) && errno != EEXIST) return -1;
    store->first = bound(store, "first");
    store->next = bound(store, "next");
    return 0;
}

static int store_add(struct store *store, const char *payload, size_t size) {
    char path[2 * TEXT];
    file_of(store, store->next, "", path, sizeof path);
    if (write_whole(path, store->folder, payload, size)) return -1;
    return set_bound(store, "next", ++store->next);
}

/* The oldest reading; its size, 0 if there is none. */
static size_t store_oldest(const struct store *store, char *payload, size_t most) {
    char path[2 * TEXT];
    if (store->first >= store->next) return 0;
    file_of(store, store->first, "", path, sizeof path);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = fread(payload, 1, most, file);
    fclose(file);
    return size;
}

static int store_remove(struct store *store) {
    char path[2 * TEXT];
    file_of(store, store->first, "", path, sizeof path);
    if (set_bound(store, "first", ++store->first)) return -1;
    unlink(path);
    return 0;
}

/* ---- the device ---- */

struct device {
    MQTTClient client;
    MQTTClient_connectOptions options;
    struct store store;
    char topic[TEXT], readings[TEXT + 16], orders[TEXT + 16], errors[TEXT + 16], status[TEXT + 16];
    char boot[17];
    unsigned long seq;
};

static int told(void *context, char *topic, int size, MQTTClient_message *message) {
    (void)context;
    (void)size;
    fprintf(stderr, "%s: %.*s\n", topic, message->payloadlen, (const char *)message->payload);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
}

/* A new boot at each start, 64 random bits: seq may begin again. */
static int draw_boot(char *boot) {
    uint64_t bits = 0;
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random) return -1;
    size_t got = fread(&bits, sizeof bits, 1, random);
    fclose(random);
    snprintf(boot, 17, "%016llx", (unsigned long long)bits);
    return got == 1 ? 0 : -1;
}

static int device_open(struct device *device, char **given) {
    char server[TEXT];
    snprintf(server, sizeof server, "tcp://%s:%s", given[0], given[1]);
    snprintf(device->topic, sizeof device->topic, "ullage/v1/%s/%s", given[2], given[3]);
    snprintf(device->readings, sizeof device->readings, "%s/readings", device->topic);
    snprintf(device->orders, sizeof device->orders, "%s/orders", device->topic);
    snprintf(device->errors, sizeof device->errors, "%s/errors", device->topic);
    snprintf(device->status, sizeof device->status, "%s/status", device->topic);
    device->seq = 0;
    if (draw_boot(device->boot) || store_open(&device->store, given[5])) return -1;
    /* no persistence: what is sent again is the store's business, not the library's */
    if (MQTTClient_create(&device->client, server, given[3], MQTTCLIENT_PERSISTENCE_NONE, NULL) != MQTTCLIENT_SUCCESS)
        return -1;
    return MQTTClient_setCallbacks(device->client, NULL, NULL, told, NULL) == MQTTCLIENT_SUCCESS ? 0 : -1;
}

/* Connect, with growing pauses and a bit of chance, until it works. */
static void device_connect(struct device *device, const char *account, const char *token) {
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    char *topics[] = {device->orders, device->errors};
    int qos[] = {1, 1};
    will.topicName = device->status;
    will.message = "{\"v\":1,\"signals\":[\"offline\"]}";
    will.qos = 1;
    options.keepAliveInterval = KEEP_ALIVE_S;
    options.cleansession = 1;
    options.username = account;
    options.password = token;
    options.will = &will;
    for (int pause = FIRST_PAUSE_S;; pause = 2 * pause < LAST_PAUSE_S ? 2 * pause : LAST_PAUSE_S) {
        int code = MQTTClient_connect(device->client, &options);
        /* each time: there is no session */
        if (code == MQTTCLIENT_SUCCESS && MQTTClient_subscribeMany(device->client, 2, topics, qos) == MQTTCLIENT_SUCCESS)
            return;
        fprintf(stderr, "no connection (%d): again in %d s\n", code, pause);
        struct timespec wait = {pause, rand() % 1000000000L};
        nanosleep(&wait, NULL);
    }
}

/* One reading: on disk first. */
static int device_read(struct device *device, double level) {
    char payload[PAYLOAD], ts[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(ts, sizeof ts, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    int size = snprintf(payload, sizeof payload,
                        "{\"v\":1,\"ts\":\"%s\",\"boot\":\"%s\",\"seq\":%lu,\"supplies\":{\"black\":{\"level\":%.4f}}}", ts,
                        device->boot, ++device->seq, level);
    return size > 0 && size < PAYLOAD ? store_add(&device->store, payload, (size_t)size) : -1;
}

/* Send all that is stored, oldest first; a reading leaves the store at its PUBACK. */
static int device_send(struct device *device, const char *account, const char *token) {
    char payload[PAYLOAD];
    size_t size;
    while ((size = store_oldest(&device->store, payload, sizeof payload)) > 0) {
        MQTTClient_deliveryToken number;
        int code = MQTTClient_publish(device->client, device->readings, (int)size, payload, 1, 0, &number);
        if (code == MQTTCLIENT_SUCCESS) code = MQTTClient_waitForCompletion(device->client, number, PUBACK_MS);
        if (code == MQTTCLIENT_SUCCESS) {
            if (store_remove(&device->store)) return -1;
        } else { /* lost, or no PUBACK in time: a new connection, and the same bytes again */
            MQTTClient_disconnect(device->client, 0);
            device_connect(device, account, token);
        }
    }
    return 0;
}

int main(int count, char **given) {
    static struct device device;
    double level;
    if (count != 7) {
        fprintf(stderr, "usage: %s HOST PORT ACCOUNT DEVICE TOKEN FOLDER < levels\n", given[0]);
        return 2;
    }
    const char *account = given[3], *token = given[5];
    if (device_open(&device, given + 1)) {
        fprintf(stderr, "cannot begin: is the folder %s writable?\n", given[6]);
        return 1;
    }
    srand((unsigned)getpid());
    device_connect(&device, account, token);
    do {
        if (device_send(&device, account, token)) {
            perror("the store");
            return 1;
        }
    } while (scanf("%lf", &level) == 1 && device_read(&device, level) == 0);
    MQTTClient_disconnect(device.client, 1000);
    MQTTClient_destroy(&device.client);
    return 0;
}
