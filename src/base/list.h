/* A list from which an item can be taken without looking for it. The item is in as many as it has pairs
 * of members for: `next`, and `link`, which is where the pointer to it lies. */
#ifndef SP_LIST_H
#define SP_LIST_H

/* Put it in front. */
#define SP_LIST_ADD(head, item, next, link)                                                    \
    do {                                                                                       \
        (item)->next = (head);                                                                 \
        (item)->link = &(head);                                                                \
        if ((item)->next != NULL)                                                              \
            (item)->next->link = &(item)->next;                                                \
        (head) = (item);                                                                       \
    } while (0)

#define SP_LIST_REMOVE(item, next, link)                                                       \
    do {                                                                                       \
        *(item)->link = (item)->next;                                                          \
        if ((item)->next != NULL)                                                              \
            (item)->next->link = (item)->link;                                                 \
    } while (0)

#endif
